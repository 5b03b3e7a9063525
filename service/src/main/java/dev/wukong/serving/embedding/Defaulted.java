package dev.wukong.serving.embedding;

import java.util.BitSet;

/**
 * Slots of one group that took their table's default row.
 *
 * @param slots all of them
 * @param unread those that took it because their own row, if there is one, was not read in time
 */
record Defaulted(BitSet slots, BitSet unread) {}
