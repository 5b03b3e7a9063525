package dev.wukong.serving.events;

import dev.wukong.data.EncodedRows;

/**
 * A request exactly as it was scored, and the scores. The arrays of the rows may be longer than
 * their rows need.
 *
 * @param id of the prediction
 * @param version which weights answered
 * @param encoding says how values became ids: those of another one have other meanings
 * @param context no rows where the schema has no context features
 * @param contextOf [candidates]: below {@code context.rows()}; empty where there is no context
 * @param tasks how many probabilities a candidate has
 * @param probabilities [candidates, tasks], as answered
 */
@SuppressWarnings("ArrayRecordComponent") // On its way to disk or from it, never compared.
public record ScoredRequest(
    PredictionId id,
    ScoredVersion version,
    long encoding,
    EncodedRows context,
    EncodedRows candidates,
    int[] contextOf,
    int tasks,
    float[] probabilities) {}
