package dev.wukong.simulator;

/** The context of a request as numbers, and a scratch array for one thread's use. */
@SuppressWarnings("ArrayRecordComponent") // Lives within the making of one request; never compared.
record Shown(
    long index,
    int user,
    int hour,
    int device,
    int[] history,
    double[] historyMean, // [factors]
    double[] scratch) {}
