package dev.wukong.study;

import java.util.Locale;

/** What a study is for: how its runs are made and reported. */
public enum Kind {
  /** Models beside published figures. */
  REPRODUCE,
  /** A model beside itself with parts taken away; the first run is the whole. */
  ABLATE,
  /** Models of growing size. */
  SWEEP,
  /** Trials drawn from a space; the best by the validation data is kept. */
  SEARCH;

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
