package dev.wukong.serving.embedding;

/** What runs inside Redis on what it remembers of a bundle, beside its rows. */
final class RedisBundleScripts {
  /*
   * A bundle's users are in a sorted set, by the millisecond of Redis' clock until which each uses
   * it.
   */

  /**
   * Says that a shard has its rows. Key: its sign; arguments: the sign while they come, the one
   * from then on. Returns 1, or 0 where it has neither.
   */
  static final RedisScript SIGN =
      RedisScript.of(
          """
          local held = redis.call('GET', KEYS[1])
          if held == ARGV[1] then
            redis.call('SET', KEYS[1], ARGV[2])
          end
          return (held == ARGV[1] or held == ARGV[2]) and 1 or 0
          """);

  /**
   * Notes how far a filling has come. Keys: the mark, the filling; arguments: the filling, the
   * mark, how a mark begins of what is not complete. What is complete stays so. Returns 1, or 0
   * where the filling is another.
   */
  static final RedisScript NOTE =
      RedisScript.of(
          """
          if (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then
            return 0
          end
          local held = redis.call('GET', KEYS[1])
          local function partly(mark)
            return string.sub(mark, 1, #ARGV[3]) == ARGV[3]
          end
          if not held or partly(held) or not partly(ARGV[2]) then
            redis.call('SET', KEYS[1], ARGV[2])
          end
          return 1
          """);

  /** Says that a process uses a bundle. Key: its users; arguments: the process, milliseconds. */
  static final RedisScript HOLD =
      RedisScript.of(
          """
          local now = redis.call('TIME')
          local millis = now[1] * 1000 + math.floor(now[2] / 1000)
          redis.call('ZADD', KEYS[1], millis + ARGV[2], ARGV[1])
          redis.call('PEXPIRE', KEYS[1], ARGV[2])
          return 1
          """);

  /** Says that a process uses a bundle no more. Key: its users; argument: the process. */
  static final RedisScript LET_GO =
      RedisScript.of(
          """
          return redis.call('ZREM', KEYS[1], ARGV[1])
          """);

  /**
   * Removes a bundle's marks. Keys: its users, the marks; arguments: a process that does not use it
   * any more, and 1 if nothing is to be removed while others do. Returns 1, or 0 where they do.
   */
  static final RedisScript HIDE =
      RedisScript.of(
          """
          redis.call('ZREM', KEYS[1], ARGV[1])
          if ARGV[2] == '1' then
            local now = redis.call('TIME')
            local millis = now[1] * 1000 + math.floor(now[2] / 1000)
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', millis)
            if redis.call('ZCARD', KEYS[1]) > 0 then
              return 0
            end
          end
          redis.call('DEL', KEYS[2], KEYS[3], KEYS[4], KEYS[5])
          return 1
          """);

  /**
   * Takes a lock that is free, or one's own already. Key: the lock; arguments: whose, milliseconds.
   * Returns 1, or 0 where another has it.
   */
  static final RedisScript LOCK =
      RedisScript.of(
          """
          local held = redis.call('GET', KEYS[1])
          if held and held ~= ARGV[1] then
            return 0
          end
          redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
          return 1
          """);

  /** The same for a lock that must be one's own. */
  static final RedisScript KEEP =
      RedisScript.of(
          """
          if redis.call('GET', KEYS[1]) ~= ARGV[1] then
            return 0
          end
          redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
          return 1
          """);

  /** Gives a lock back, if it is one's own. Key: the lock; argument: whose. */
  static final RedisScript UNLOCK =
      RedisScript.of(
          """
          if redis.call('GET', KEYS[1]) ~= ARGV[1] then
            return 0
          end
          return redis.call('DEL', KEYS[1])
          """);

  private RedisBundleScripts() {}
}
