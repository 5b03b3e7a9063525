package dev.wukong.study;

/**
 * A point inside an epoch.
 *
 * @param examples trained on so far, each as often as it was met
 * @param loss a running mean over the last of them, each before it was learnt from
 */
public record LossPoint(long examples, double loss) {}
