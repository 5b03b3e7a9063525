package dev.wukong.graph;

/** A model file that cannot be read as a {@link Graph}: the message names the node, its operator and what has no meaning here. */
public final class OnnxReadException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  OnnxReadException(String message) {
    super(message);
  }
}
