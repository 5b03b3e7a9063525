package dev.wukong.serving.events;

/**
 * Which weights answered.
 *
 * @param bundle the bundle's version
 * @param epoch who trained; 0: nobody since the bundle
 * @param dense how often the dense weights had changed since the bundle
 * @param rows version of the newest row
 */
public record ScoredVersion(long bundle, long epoch, long dense, long rows) {}
