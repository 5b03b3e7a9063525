package dev.wukong.bundle;

import dev.wukong.data.DataException;
import dev.wukong.data.Schema;
import java.nio.charset.StandardCharsets;

/**
 * A schema as a JSON document of its own, spelled as in the manifest: what a server tells its
 * clients.
 */
public final class SchemaDocument {
  private SchemaDocument() {}

  /** The document. */
  public static String write(Schema schema) {
    return Json.MAPPER.writeValueAsString(schema.toJson());
  }

  /**
   * The schema in {@code json}.
   *
   * @throws DataException if it is not JSON, or not a schema; the message names the field
   */
  public static Schema read(String json) {
    try {
      return Schema.fromJson(
          Json.tree(Json.MAPPER, json.getBytes(StandardCharsets.UTF_8)), "the server's schema");
    } catch (BundleException e) {
      throw new DataException("the schema is " + e.getMessage(), e);
    }
  }
}
