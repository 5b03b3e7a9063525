package dev.wukong.bundle;

import java.util.Base64;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/**
 * Who says that a manifest is right: {@code manifest.sig} beside it.
 *
 * @param key the id of the key: the first 16 hex digits of the SHA-256 of the public key
 * @param signature by Ed25519, over the manifest's bytes
 */
record ManifestSignature(String key, byte[] signature) {
  /** Its file. */
  static final String FILE = "manifest.sig";

  static final int MAX_BYTES = 4096;
  private static final int FORMAT = 1;
  private static final int LENGTH = 64;
  private static final JsonMapper MAPPER = Json.reader(2, 1024, 32);

  /** As the file holds it. */
  byte[] encode() {
    ObjectNode root = MAPPER.createObjectNode();
    root.put("format", FORMAT);
    root.put("key", key);
    root.put("algorithm", KeyFile.ALGORITHM);
    root.put("signature", Base64.getEncoder().encodeToString(signature));
    return Json.PRETTY.writeValueAsBytes(root);
  }

  /**
   * Reads one.
   *
   * @throws BundleException naming the field, what it holds and what is allowed
   */
  static ManifestSignature decode(byte[] json) throws BundleException {
    StrictFields fields = StrictFields.of("", Json.tree(MAPPER, json));
    fields.integer("format", FORMAT, FORMAT);
    String key = fields.string("key");
    if (!key.matches("[0-9a-f]{16}")) {
      throw new BundleException("field 'key' is no id of a key: 16 of 0-9 and a-f");
    }
    String algorithm = fields.string("algorithm");
    if (!algorithm.equals(KeyFile.ALGORITHM)) {
      throw new BundleException(
          "field 'algorithm' is not '%s', which alone is allowed".formatted(KeyFile.ALGORITHM));
    }
    byte[] signature;
    try {
      signature = Base64.getDecoder().decode(fields.string("signature"));
    } catch (IllegalArgumentException e) {
      throw new BundleException("field 'signature' is not Base64", e);
    }
    if (signature.length != LENGTH) {
      throw new BundleException(
          "field 'signature' has %d bytes, want %d".formatted(signature.length, LENGTH));
    }
    fields.end();
    return new ManifestSignature(key, signature);
  }
}
