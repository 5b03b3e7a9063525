package dev.wukong.serving.batching;

import java.nio.ByteBuffer;

/**
 * A batch's results, little-endian float32.
 *
 * @param probabilities [candidates, tasks]
 * @param logits [candidates, tasks]
 */
public record BatchScores(ByteBuffer probabilities, ByteBuffer logits) {}
