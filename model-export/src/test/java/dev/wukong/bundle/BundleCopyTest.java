package dev.wukong.bundle;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BundleCopyTest {
  @TempDir Path root;

  @Test
  void copy_underAnotherName_opensWithTheSameContents() throws Exception {
    try (Bundle source = Bundle.open(SampleBundle.write(root))) {
      Path folder = BundleCopy.write(source, root.resolve("other"), "frozen");
      assertThat(folder).isEqualTo(root.toRealPath().resolve("other/frozen/1"));
      try (Bundle copy = Bundle.open(folder)) {
        assertThat(copy.manifest().model()).isEqualTo("frozen");
        assertThat(copy.manifest().files()).isEqualTo(source.manifest().files());
        assertThat(copy.manifest().tables()).isEqualTo(source.manifest().tables());
        assertThat(copy.manifest().created()).isEqualTo(source.manifest().created());
        assertThat(copy.layout()).isEqualTo(source.layout());
      }
      assertThat(BundleCopy.write(source, root.resolve("other"), "frozen")).hasFileName("2");
    }
  }
}
