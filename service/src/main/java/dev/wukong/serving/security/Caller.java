package dev.wukong.serving.security;

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

  public Caller {
    roles = Set.copyOf(roles);
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
