package dev.wukong.bundle;

import dev.wukong.data.DataException;
import dev.wukong.data.Schema;
import tools.jackson.databind.node.ObjectNode;

/** A schema in the manifest: the form that schema files have too. */
final class SchemaJson {
  private SchemaJson() {}

  static void write(Schema schema, ObjectNode to) {
    to.setAll(schema.toJson());
  }

  static Schema read(StrictFields fields) throws BundleException {
    try {
      return Schema.fromJson(fields.node(), fields.path().isEmpty() ? "schema" : fields.path());
    } catch (DataException e) {
      throw new BundleException(String.valueOf(e.getMessage()), e);
    }
  }
}
