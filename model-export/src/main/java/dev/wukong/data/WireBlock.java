package dev.wukong.data;

import java.nio.ByteBuffer;

/**
 * The rows of one scope as a request carries them, by column: little-endian numbers packed without
 * gaps, feature-major (all rows of the scope's first feature in schema order, then all of the
 * next). Between position and limit of each buffer; the positions are not moved.
 *
 * @param rows how many
 * @param counts int32 [multi-valued id features, rows]: how many values each row has
 * @param ids int64: the values of id features of type INT64
 * @param stringLengths int32: bytes of each value of the id features of type STRING
 * @param strings their UTF-8, one after another
 * @param numbers float64: the values of id features that put numbers into buckets
 * @param weights float32: one for each value of the weighted id features
 * @param dense float32 [number features, rows, width]
 * @param present a bit for each row of each single-valued id feature, then of each optional number
 *     feature; empty: nothing is absent
 */
public record WireBlock(
    int rows,
    ByteBuffer counts,
    ByteBuffer ids,
    ByteBuffer stringLengths,
    ByteBuffer strings,
    ByteBuffer numbers,
    ByteBuffer weights,
    ByteBuffer dense,
    ByteBuffer present) {}
