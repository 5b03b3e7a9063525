package dev.wukong.serving.events;

/**
 * An event in the log.
 *
 * @param position grows by one with each event of the log, of whatever model, and is never used
 *     again
 * @param atMs when it was logged: milliseconds since 1970-01-01 UTC, never less than that of an
 *     event before it
 * @param model the name of the model that it is about
 */
public record Logged(long position, long atMs, String model, Event event) {}
