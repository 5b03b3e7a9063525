package dev.wukong.serving.embedding;

import io.lettuce.core.codec.Base16;
import java.nio.charset.StandardCharsets;

/**
 * A script in Lua.
 *
 * @param digest the name under which a node knows it once it has run there
 */
record RedisScript(String source, String digest) {
  static RedisScript of(String source) {
    return new RedisScript(source, Base16.digest(source.getBytes(StandardCharsets.US_ASCII)));
  }
}
