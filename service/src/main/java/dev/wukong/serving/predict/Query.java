package dev.wukong.serving.predict;

import dev.wukong.data.EncodedRows;

/**
 * A request that has passed every check.
 *
 * @param context no rows where the schema has no context features
 * @param contextOf [candidates]: below {@code context.rows()}; empty where the schema has no
 *     context features
 * @param unseen values that a vocabulary does not know
 * @param missing absent values
 * @param truncated values beyond a feature's positions
 */
@SuppressWarnings("ArrayRecordComponent") // Read by the one thread that made it.
record Query(
    EncodedRows context,
    EncodedRows candidates,
    int[] contextOf,
    int unseen,
    int missing,
    int truncated) {}
