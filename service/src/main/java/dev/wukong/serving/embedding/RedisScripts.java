package dev.wukong.serving.embedding;

/** What runs inside Redis on rows, so that nothing comes between its reading and its writing. */
final class RedisScripts {
  /*
   * A part of a value is <version int64><length int32><row>, as RedisValue says, so a part ends at
   * 12 + max(0, length).
   */

  /**
   * Writes rows of one shard. Keys: those of the rows; arguments: the version, then each row's
   * part. A row of a newer version stays; one of the same is replaced; of an older one its newest
   * version is kept as what was before. Returns how many stayed.
   */
  static final RedisScript INSTALL =
      RedisScript.of(
          """
          local version = tonumber(ARGV[1])
          local stayed = 0
          for i, key in ipairs(KEYS) do
            local part = ARGV[i + 1]
            local held = redis.call('GET', key)
            if held then
              local before, length = struct.unpack('<i8i4', held)
              local last = 12 + math.max(0, length)
              if before > version then
                stayed = stayed + 1
              elseif before == version then
                redis.call('SET', key, part .. string.sub(held, last + 1))
              else
                redis.call('SET', key, part .. string.sub(held, 1, last))
              end
            else
              local _, length = struct.unpack('<i8i4', part)
              if length >= 0 then
                if version > 0 then
                  part = part .. struct.pack('<i8i4', 0, -1)
                end
                redis.call('SET', key, part)
              end
            end
          end
          return stayed
          """);

  /**
   * Writes rows of one shard as they are imported, if its sign is the one that is expected. Keys:
   * the sign, those of the rows; arguments: the version, the sign, then each row's part. A row of a
   * newer version stays. Returns how many rows were refused: all or none.
   */
  static final RedisScript FILL =
      RedisScript.of(
          """
          if redis.call('GET', KEYS[1]) ~= ARGV[2] then
            return #KEYS - 1
          end
          local version = tonumber(ARGV[1])
          for i = 2, #KEYS do
            local held = redis.call('GET', KEYS[i])
            if not held or struct.unpack('<i8', held) <= version then
              redis.call('SET', KEYS[i], ARGV[i + 1])
            end
          end
          return 0
          """);

  /**
   * Takes rows of one shard back to what was before a version. Keys: those of the rows; argument:
   * the version. Returns how many.
   */
  static final RedisScript UNDO =
      RedisScript.of(
          """
          local undone = 0
          for _, key in ipairs(KEYS) do
            local held = redis.call('GET', key)
            if held then
              local version, length = struct.unpack('<i8i4', held)
              local before = string.sub(held, 13 + math.max(0, length))
              if version == tonumber(ARGV[1]) and #before > 0 then
                local first, row = struct.unpack('<i8i4', before)
                if first == 0 and row < 0 then
                  redis.call('DEL', key)
                else
                  redis.call('SET', key, before)
                end
                undone = undone + 1
              end
            end
          end
          return undone
          """);

  /**
   * Begins a commit. Keys: the version, the intent; arguments: the version, the intent. Returns
   * nothing, or the intent of a commit that was cut short and must be undone first.
   */
  static final RedisScript BEGIN =
      RedisScript.of(
          """
          local written = tonumber(redis.call('GET', KEYS[1]) or '0')
          if tonumber(ARGV[1]) < written then
            return redis.error_reply('ERR version ' .. ARGV[1] .. ' is below ' .. written
                .. ', which was written last')
          end
          local held = redis.call('GET', KEYS[2])
          if held and struct.unpack('<i8', held) > written then
            return held
          end
          redis.call('SET', KEYS[2], ARGV[2])
          return false
          """);

  /** Ends a commit: its changes are there. Keys: the version, the intent; argument: the version. */
  static final RedisScript END =
      RedisScript.of(
          """
          local written = tonumber(redis.call('GET', KEYS[1]) or '0')
          if tonumber(ARGV[1]) < written then
            return redis.error_reply('ERR version ' .. ARGV[1] .. ' is below ' .. written
                .. ', which was written meanwhile')
          end
          redis.call('SET', KEYS[1], ARGV[1])
          redis.call('DEL', KEYS[2])
          return 0
          """);

  /**
   * Has what rows of one shard were before they were removed go after a while. Keys: those of the
   * rows; arguments: the version that removed them, the milliseconds. Returns how many.
   */
  static final RedisScript FADE =
      RedisScript.of(
          """
          local fading = 0
          for _, key in ipairs(KEYS) do
            local held = redis.call('GET', key)
            if held then
              local version, length = struct.unpack('<i8i4', held)
              if version == tonumber(ARGV[1]) and length < 0 then
                redis.call('PEXPIRE', key, ARGV[2])
                fading = fading + 1
              end
            end
          end
          return fading
          """);

  private RedisScripts() {}
}
