package dev.wukong.serving.security;

import java.util.Locale;

/** What a caller may do. None includes another. */
public enum Role {
  /** Ask for scores. */
  PREDICT,
  /** Report what became of them. */
  LABEL,
  /** Load, label, promote, roll back, pause, export. */
  ADMIN;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
