package dev.wukong.serving.security;

import java.util.Set;

/** What a call asks of whoever makes it, where roles are given at all. */
public enum Access {
  /** Nothing: probes, which cannot show anything. */
  OPEN("nothing"),
  /** Any role: what is served, and how it is called. */
  ANY("a role"),
  /** {@link Role#PREDICT}. */
  PREDICT("the role 'predict'"),
  /** {@link Role#LABEL}. */
  LABEL("the role 'label'"),
  /** {@link Role#ADMIN}; such calls are audited. */
  ADMIN("the role 'admin'");

  private final String title;

  Access(String title) {
    this.title = title;
  }

  /** Whether {@code roles} are enough. */
  boolean given(Set<Role> roles) {
    return switch (this) {
      case OPEN -> true;
      case ANY -> !roles.isEmpty();
      case PREDICT -> roles.contains(Role.PREDICT);
      case LABEL -> roles.contains(Role.LABEL);
      case ADMIN -> roles.contains(Role.ADMIN);
    };
  }

  @Override
  public String toString() {
    return title;
  }
}
