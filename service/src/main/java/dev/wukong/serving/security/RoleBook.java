package dev.wukong.serving.security;

import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Who has which role. Any thread. */
public final class RoleBook {
  private static final String BEARER = "Bearer ";

  /**
   * Who has a role.
   *
   * @param names patterns of names in certificates
   * @param tokens null for none
   */
  private record Holders(List<NamePattern> names, @Nullable TokenFile tokens) {}

  private final Map<Role, Holders> holders = new EnumMap<>(Role.class);

  private RoleBook() {}

  /** One in which nobody has a role: then everybody may do everything. */
  public static RoleBook open() {
    return new RoleBook();
  }

  /**
   * Gives a role; from now on whoever has none may nothing. Before anything else is called.
   *
   * @param names patterns, as {@link NamePattern} reads them
   * @throws IllegalArgumentException where one is none
   */
  public void give(Role role, List<String> names, @Nullable TokenFile tokens) {
    if (!names.isEmpty() || tokens != null) {
      holders.put(role, new Holders(names.stream().map(NamePattern::parse).toList(), tokens));
    }
  }

  /** Whether nobody has a role. */
  boolean isOpen() {
    return holders.isEmpty();
  }

  /** Who shows a certificate with these names; {@link Caller#ANYONE} where there are none. */
  Caller byNames(List<String> names) {
    if (names.isEmpty()) {
      return Caller.ANYONE;
    }
    Set<Role> roles = EnumSet.noneOf(Role.class);
    String known = names.getFirst();
    for (Map.Entry<Role, Holders> of : holders.entrySet()) {
      for (String name : names) {
        if (of.getValue().names().stream().anyMatch(pattern -> pattern.matches(name))) {
          known = roles.isEmpty() ? name : known;
          roles.add(of.getKey());
        }
      }
    }
    return new Caller(known, roles);
  }

  /**
   * Who calls over a connection and shows {@code authorization} with the call.
   *
   * @param connected who the connection is with
   * @param authorization of the call; null where it has none
   * @return null where a token is shown that nobody has
   */
  @Nullable Caller with(Caller connected, @Nullable String authorization) {
    if (authorization == null) {
      return connected;
    }
    if (!authorization.regionMatches(true, 0, BEARER, 0, BEARER.length())) {
      return null;
    }
    byte[] digest = TokenFile.digest(authorization.substring(BEARER.length()).strip());
    Set<Role> roles = EnumSet.noneOf(Role.class);
    String known = null;
    for (Map.Entry<Role, Holders> of : holders.entrySet()) {
      TokenFile tokens = of.getValue().tokens();
      String name = tokens == null ? null : tokens.name(digest);
      if (name != null) {
        known = name;
        roles.add(of.getKey());
      }
    }
    return known == null ? null : connected.and(new Caller("token:" + known, roles));
  }
}
