package dev.wukong.serving.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

@ExtendWith(OutputCaptureExtension.class)
class TokenFileTest {
  private static final String FIRST = "first-0123456789abcdef";
  private static final String SECOND = "second-0123456789abcdef";

  private final AtomicLong now = new AtomicLong();

  @TempDir private Path folder = Path.of("");

  private Path write(String text) throws Exception {
    // Renamed into place: another file, whatever its time says.
    Path next = Files.writeString(folder.resolve("next"), text);
    return Files.move(
        next,
        folder.resolve("tokens"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  private void later() {
    now.addAndGet(TimeUnit.SECONDS.toNanos(1));
  }

  private static String of(TokenFile file, String token) {
    return String.valueOf(file.name(TokenFile.digest(token)));
  }

  @Test
  void name_ofATokenOrItsDigest_isThatOfItsLine() throws Exception {
    // The digest of "abc", which FIPS 180 gives.
    TokenFile file =
        TokenFile.open(
            write(
                "# of the shop\n\n shop:%s \nother:sha256=%s\n"
                    .formatted(
                        FIRST, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")),
            now::get);
    assertThat(of(file, FIRST)).isEqualTo("shop");
    assertThat(of(file, "abc")).isEqualTo("other");
    assertThat(of(file, SECOND)).isEqualTo("null");
    assertThat(of(file, "")).isEqualTo("null");
  }

  @Test
  void file_thatChanges_isReadAgainASecondLater() throws Exception {
    TokenFile file = TokenFile.open(write("shop:" + FIRST), now::get);
    write("shop:" + FIRST + "\nnext:" + SECOND);
    assertThat(of(file, SECOND)).isEqualTo("null");
    later();
    assertThat(of(file, SECOND)).isEqualTo("next");
    assertThat(of(file, FIRST)).isEqualTo("shop");

    write("next:" + SECOND);
    later();
    assertThat(of(file, FIRST)).isEqualTo("null");
  }

  @Test
  void file_thatIsWrongOrGoneLater_holdsWhatItHeldAndSaysSo(CapturedOutput output)
      throws Exception {
    TokenFile file = TokenFile.open(write("shop:" + FIRST), now::get);
    write("no line of mine " + SECOND);
    later();
    assertThat(of(file, FIRST)).isEqualTo("shop");
    assertThat(output.getAll()).containsOnlyOnce("whose line 1 is not <name>:<token>");
    later();
    assertThat(of(file, FIRST)).isEqualTo("shop");
    assertThat(output.getAll()).containsOnlyOnce("whose line 1 is not <name>:<token>");
    Files.delete(folder.resolve("tokens"));
    later();
    assertThat(of(file, FIRST)).isEqualTo("shop");
    assertThat(output.getAll()).contains("cannot be read, what it held before holds");
    assertThat(output.getAll()).doesNotContain(FIRST).doesNotContain(SECOND);
  }

  @ParameterizedTest
  @ValueSource(strings = {"secret", "na me:secret-0123456789abcdef", ":secret-0123456789abcdef"})
  void open_lineThatIsNone_saysWhichAndNotWhatItHolds(String line) throws Exception {
    Path path = write("shop:" + FIRST + "\n" + line);
    assertThatThrownBy(() -> TokenFile.open(path, now::get))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("whose line 2 is not <name>:<token>")
        .hasMessageNotContaining("secret");
  }

  @Test
  void open_tokenThatCanBeGuessed_isRefused() throws Exception {
    Path path = write("shop:0123456789abcde");
    assertThatThrownBy(() -> TokenFile.open(path, now::get))
        .hasMessageContaining("whose line 1 has a token of 15 characters, allowed are 16 or more");
  }
}
