package dev.wukong.training;

/**
 * Rows of one width that training has changed.
 *
 * @param keys ascending
 * @param rows [keys, width]
 * @param stateWidth floats of optimizer state a row
 * @param states [keys, stateWidth]
 */
@SuppressWarnings("ArrayRecordComponent") // On its way to a store, never compared.
public record ChangedRows(int width, long[] keys, float[] rows, int stateWidth, float[] states) {}
