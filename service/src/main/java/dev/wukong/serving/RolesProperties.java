package dev.wukong.serving;

import dev.wukong.serving.security.Role;
import dev.wukong.serving.security.RoleBook;
import dev.wukong.serving.security.TokenFile;
import dev.wukong.text.ShownText;
import java.nio.file.Path;
import java.util.List;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * The settings under {@code wukong.roles}: who may what. As long as nobody has a role everybody may
 * everything.
 *
 * @param predict who may ask for scores
 * @param label who may report what became of them
 * @param admin who may change what serves
 */
public record RolesProperties(
    @DefaultValue Holders predict, @DefaultValue Holders label, @DefaultValue Holders admin) {

  /**
   * Who has a role.
   *
   * @param names patterns of names in certificates
   * @param tokensFile {@code name:token} a line; empty: no token
   */
  public record Holders(@DefaultValue List<String> names, @DefaultValue("") String tokensFile) {
    boolean some() {
      return !names.isEmpty() || !tokensFile.isEmpty();
    }
  }

  /** Whether somebody has a role. */
  boolean given() {
    return predict.some() || label.some() || admin.some();
  }

  /** Whether some have one by their certificates. */
  boolean byNames() {
    return !(predict.names().isEmpty() && label.names().isEmpty() && admin.names().isEmpty());
  }

  /** Whether some have one by a token. */
  boolean byTokens() {
    return !(predict.tokensFile() + label.tokensFile() + admin.tokensFile()).isEmpty();
  }

  /**
   * Who has which.
   *
   * @param nanos a {@link System#nanoTime}
   */
  RoleBook book(LongSupplier nanos) {
    RoleBook book = RoleBook.open();
    for (Role role : Role.values()) {
      Holders holders =
          switch (role) {
            case PREDICT -> predict;
            case LABEL -> label;
            case ADMIN -> admin;
          };
      @Nullable TokenFile tokens =
          holders.tokensFile().isEmpty() ? null : tokens(role, holders.tokensFile(), nanos);
      try {
        book.give(role, holders.names(), tokens);
      } catch (IllegalArgumentException e) {
        throw new SettingException(
            "wukong.roles.%s.names has %s"
                .formatted(role, ShownText.oneLine(String.valueOf(e.getMessage()))),
            e);
      }
    }
    return book;
  }

  private static TokenFile tokens(Role role, String file, LongSupplier nanos) {
    try {
      return TokenFile.open(Path.of(file), nanos);
    } catch (IllegalArgumentException e) {
      throw new SettingException(
          "wukong.roles.%s.tokens-file is %s".formatted(role, e.getMessage()), e);
    }
  }
}
