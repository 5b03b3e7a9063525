package dev.wukong.data;

/** The raw type of an id feature's values, in files and on the wire. */
public enum ValueType {
  INT64,
  STRING
}
