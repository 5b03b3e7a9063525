package dev.wukong.bundle;

import dev.wukong.data.DataException;
import dev.wukong.data.Schema;
import java.nio.charset.StandardCharsets;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.node.JsonNodeFactory;
import tools.jackson.databind.node.ObjectNode;

/**
 * A schema as a JSON document of its own, spelled as in the manifest: what a server tells its
 * clients.
 */
public final class SchemaDocument {
  private SchemaDocument() {}

  /** The document. */
  public static String write(Schema schema) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    SchemaJson.write(schema, node);
    return Json.MAPPER.writeValueAsString(node);
  }

  /**
   * The schema in {@code json}.
   *
   * @throws DataException if it is not JSON, or not a schema; the message names the field
   */
  public static Schema read(String json) {
    try {
      return SchemaJson.read(
          Fields.of("", Json.MAPPER.readTree(json.getBytes(StandardCharsets.UTF_8))));
    } catch (JacksonException e) {
      throw new DataException("the schema is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (BundleException e) {
      throw new DataException("the schema cannot be used: " + e.getMessage(), e);
    }
  }
}
