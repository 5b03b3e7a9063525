package dev.wukong.bundle;

import dev.wukong.data.DataException;
import dev.wukong.data.Schema;
import dev.wukong.data.SchemaYaml;
import dev.wukong.fuzzing.FuzzTarget;
import dev.wukong.fuzzing.FuzzTargets;
import dev.wukong.fuzzing.SeedBundle;
import dev.wukong.serving.testing.TinyModel;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** The files of a bundle. */
public final class BundleTargets implements FuzzTargets {
  private static final int OPSET = 20;
  private static final Schema SCHEMA = TinyModel.schema();

  @Override
  public List<FuzzTarget> targets() {
    return List.of(
        new FuzzTarget(
            "manifest",
            BundleException.class,
            () -> List.of(SeedBundle.file(Manifest.FILE)),
            input -> {
              Manifest _ = ManifestReader.read(input);
            }),
        new FuzzTarget(
            "signature",
            BundleException.class,
            () -> List.of(new ManifestSignature("0123456789abcdef", new byte[64]).encode()),
            input -> {
              ManifestSignature read = ManifestSignature.decode(input);
              FuzzTarget.requireSame(
                  read.encode(), ManifestSignature.decode(read.encode()).encode());
            }),
        new FuzzTarget(
            "onnx",
            BundleException.class,
            () -> List.of(SeedBundle.file("predict.onnx")),
            input -> OnnxScan.check(input, BundleNames.TRAIN, OPSET)),
        new FuzzTarget(
            "safetensors",
            BundleException.class,
            () -> List.of(SeedBundle.file("rows/item-00000.safetensors")),
            input -> {
              var _ = SafetensorsFile.of(MemorySegment.ofArray(input)).tensors();
            }),
        new FuzzTarget(
            "vocabulary",
            BundleException.class,
            () -> List.of(SeedBundle.file("vocabularies.json")),
            input -> {
              var _ = VocabularyFile.read(MemorySegment.ofArray(input), SCHEMA);
            }),
        new FuzzTarget(
            "schema",
            DataException.class,
            () -> List.of(FuzzTarget.text(SchemaYaml.write(SCHEMA))),
            input -> {
              Schema read = SchemaYaml.parse(FuzzTarget.text(input), "the schema");
              String again = SchemaYaml.write(read);
              if (!SchemaYaml.parse(again, "the same").equals(read)) {
                throw new AssertionError("another schema was written than was read");
              }
            }));
  }
}
