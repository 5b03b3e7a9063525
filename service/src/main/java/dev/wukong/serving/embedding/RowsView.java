package dev.wukong.serving.embedding;

/**
 * Which rows a reader sees: those of one bundle of one model, up to a version.
 *
 * @param model the model's name, 1 to 64 ASCII characters
 * @param bundle the bundle's version; rows of two bundles never meet
 * @param version the newest version of a row that counts; 0 as imported
 */
public record RowsView(String model, long bundle, long version) {
  public RowsView {
    if (model.isEmpty() || model.length() > 64) {
      throw new IllegalArgumentException(
          "model name '%s' has %d characters, allowed are 1 to 64"
              .formatted(model, model.length()));
    }
  }

  /** What all bundles of the model share; no bundle has this number. */
  RowsView ofModel() {
    return new RowsView(model, 0, 0);
  }

  /** The same bundle as it was imported. */
  public RowsView imported() {
    return new RowsView(model, bundle, 0);
  }
}
