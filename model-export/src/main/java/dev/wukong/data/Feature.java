package dev.wukong.data;

/** One input of the model as its users see it. */
public sealed interface Feature permits IdFeature, NumberFeature {
  String name();

  Scope scope();

  /** The column of a data file that holds it. */
  String column();
}
