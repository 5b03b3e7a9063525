package dev.wukong.serving.joining;

/**
 * A label that came before what it needs.
 *
 * @param logged its own position in the log
 * @param atMs its time in the log
 * @param candidate position of its candidate in the request
 * @param number that its task has at rest
 * @param value 0 to 1
 * @param weight of the example
 * @param timeMs when, by the caller's clock
 */
record Waiting(
    long logged, long atMs, int candidate, int number, float value, float weight, long timeMs) {}
