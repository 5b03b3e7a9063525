package dev.wukong.serving.security;

import dev.wukong.text.ShownText;
import io.grpc.Context;
import java.util.EnumSet;
import java.util.Set;

/**
 * Who calls, as far as was shown.
 *
 * @param name of the certificate or the token, such as {@code uri:spiffe://shop/ranker} or {@code
 *     token:batch}; {@link #NOBODY} where neither was shown
 * @param roles none where it has none
 */
public record Caller(String name, Set<Role> roles) {
  /** The name of whoever shows nothing. */
  static final String NOBODY = "anyone";

  /** Who shows nothing. */
  static final Caller ANYONE = new Caller(NOBODY, Set.of());

  /** Who makes the call under way; none outside of one that may report feedback. */
  static final Context.Key<Caller> CURRENT = Context.key("wukong-caller");

  private static final int LONGEST = 128;

  public Caller {
    roles = Set.copyOf(roles);
  }

  /**
   * The name of who reports feedback by the call under way, on one line and of at most 128
   * characters; empty where it has shown none.
   */
  public static String source() {
    Caller caller = CURRENT.get();
    if (caller == null || !caller.known()) {
      return "";
    }
    String name = ShownText.oneLine(caller.name());
    return name.length() <= LONGEST ? name : name.substring(0, LONGEST);
  }

  boolean known() {
    return !name.equals(NOBODY);
  }

  /** This one, who has shown {@code other} as well. */
  Caller and(Caller other) {
    if (!known()) {
      return other;
    }
    Set<Role> all = EnumSet.noneOf(Role.class);
    all.addAll(roles);
    all.addAll(other.roles());
    return new Caller(name + "+" + other.name(), all);
  }
}
