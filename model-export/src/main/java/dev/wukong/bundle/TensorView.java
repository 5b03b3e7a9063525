package dev.wukong.bundle;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * A tensor inside a mapped safetensors file: little-endian, row-major, valid as long as the arena
 * it was mapped in.
 */
public record TensorView(TensorSpec spec, MemorySegment data) {
  /**
   * The elements of an F32 tensor of less than 2 GiB, read-only.
   *
   * @throws BundleException if it is of another type or larger
   */
  public FloatBuffer floats() throws BundleException {
    return buffer(DType.F32).asFloatBuffer();
  }

  /** The elements of an I64 tensor of less than 2 GiB, read-only. */
  public LongBuffer longs() throws BundleException {
    return buffer(DType.I64).asLongBuffer();
  }

  /** A copy of an F32 tensor on the heap. */
  public FloatTensor toFloatTensor() throws BundleException {
    FloatBuffer from = floats();
    float[] copy = new float[from.remaining()];
    from.get(copy);
    return FloatTensor.of(copy, spec.shape());
  }

  private ByteBuffer buffer(DType wanted) throws BundleException {
    if (spec.type() != wanted) {
      throw new BundleException(
          "tensor '%s' is of type %s, expected %s".formatted(spec.name(), spec.type(), wanted));
    }
    if (data.byteSize() > Integer.MAX_VALUE) {
      throw new BundleException(
          "tensor '%s' has %d bytes, at most %d can be read at once"
              .formatted(spec.name(), data.byteSize(), Integer.MAX_VALUE));
    }
    return data.asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }
}
