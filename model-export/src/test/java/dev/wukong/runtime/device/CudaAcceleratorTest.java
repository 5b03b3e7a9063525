package dev.wukong.runtime.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.wukong.runtime.Device;
import dev.wukong.runtime.DeviceException;
import dev.wukong.runtime.device.Accelerator.Priority;
import dev.wukong.runtime.device.WorkQueue.Recording;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.NoSuchElementException;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is asked of CUDA's runtime, by native calls of functions that the test gives. */
class CudaAcceleratorTest {
  private final FakeCuda cuda = new FakeCuda();
  private final CudaAccelerator gpu =
      new CudaAccelerator(new Device.Cuda(1), new CudaLibrary(cuda.lookup()));

  @AfterEach
  void nothingIsHeld() {
    assertThat(cuda.device).isEmpty();
    assertThat(cuda.pinned).isEmpty();
    assertThat(cuda.streams).isEmpty();
    assertThat(cuda.graphs).isEmpty();
    assertThat(cuda.executables).isEmpty();
    cuda.close();
  }

  @Test
  void copies_thereAndBack_keepEveryByte() {
    DeviceBuffer buffer = gpu.allocate(16);
    MemorySegment host = gpu.allocateHost(16);
    try (WorkQueue queue = gpu.queue(Priority.HIGH)) {
      // Memory comes zeroed, whatever was in it.
      queue.toHost(host, buffer, 16);
      queue.await();
      assertThat(host.toArray(ValueLayout.JAVA_LONG)).containsExactly(0, 0);
      host.set(ValueLayout.JAVA_LONG, 0, 7);
      host.set(ValueLayout.JAVA_LONG, 8, 9);
      queue.toDevice(buffer, host, 16);
      queue.zero(buffer, 8, 8);
      host.fill((byte) 0);
      queue.toHost(host, buffer, 16);
      queue.await();
      assertThat(host.toArray(ValueLayout.JAVA_LONG)).containsExactly(7, 0);
    }
    gpu.freeHost(host);
    gpu.free(buffer);
    assertThat(cuda.calls).containsSequence("to device 16", "to host 16", "synchronize");
  }

  @Test
  void queue_ofTraining_goesAfterThatOfAnswers() {
    gpu.queue(Priority.HIGH).close();
    gpu.queue(Priority.LOW).close();
    // Of this device, beside the default stream; smaller numbers go first.
    assertThat(cuda.calls)
        .contains(
            "stream of device 1, flags 1, priority -5", "stream of device 1, flags 1, priority 0");
  }

  @Test
  void allocate_tooLittleMemory_saysHowMuchIsFree() {
    DeviceBuffer most = gpu.allocate((1 << 20) - 100);
    assertThatThrownBy(() -> gpu.allocate(101))
        .isInstanceOf(DeviceException.class)
        .hasMessage(
            "device 'cuda:1': no 101 bytes of the GPU's memory are left; of the GPU's 1048576"
                + " bytes 100 are free");
    assertThat(gpu.freeBytes()).isEqualTo(100);
    gpu.free(most);
  }

  @Test
  void device_saysWhereItSitsAndWhatItHas() {
    assertThat(gpu.busId()).isEqualTo("0000:19:01.0");
    assertThat(gpu.totalBytes()).isEqualTo(1 << 20);
  }

  @Test
  void record_work_isLaunchedAsOne() {
    try (WorkQueue queue = gpu.queue(Priority.HIGH)) {
      Recording recording = queue.record(() -> cuda.calls.add("work")).orElseThrow();
      recording.replay();
      recording.replay();
      recording.close();
      // Of this thread alone, so that others may allocate meanwhile.
      assertThat(cuda.calls)
          .containsSubsequence("begin capture, mode 1", "work", "launch", "launch")
          .filteredOn("work"::equals)
          .hasSize(1);
    }
  }

  @Test
  void record_workThatCannotBeRecorded_leavesAQueueThatWorks() {
    DeviceBuffer buffer = gpu.allocate(8);
    try (WorkQueue queue = gpu.queue(Priority.HIGH)) {
      cuda.failsToCapture = true;
      assertThat(queue.record(() -> {})).isEmpty();
      cuda.failsToCapture = false;
      Optional<Recording> failed =
          queue.record(
              () -> {
                throw new IllegalStateException("a kernel that does not exist");
              });
      assertThat(failed).isEmpty();
      queue.zero(buffer, 0, 8);
      queue.await();
    }
    gpu.free(buffer);
  }

  @Test
  void call_thatCudaRefuses_saysWhichAndWhy() {
    assertThatThrownBy(() -> gpu.free(new DeviceBuffer(64, 8)))
        .isInstanceOf(DeviceException.class)
        .hasMessage("device 'cuda:1': cudaFree: reason 1 (CUDA failure 1)");
    CudaAccelerator absent =
        new CudaAccelerator(new Device.Cuda(7), new CudaLibrary(cuda.lookup()));
    assertThatThrownBy(() -> absent.allocate(8))
        .hasMessage("device 'cuda:7': cudaSetDevice: reason 101 (CUDA failure 101)");
  }

  @Test
  void library_thatLacksAFunction_isRefused() {
    assertThatThrownBy(() -> new CudaLibrary(_ -> Optional.empty()))
        .isInstanceOf(NoSuchElementException.class)
        .hasMessageContaining("cudaGetErrorString");
  }
}
