package dev.wukong.serving.joining;

import dev.wukong.serving.events.Logged;
import java.util.function.Consumer;

/**
 * A candidate about which something is found out.
 *
 * @param scored position in the log of its prediction
 * @param at the event at which that happens
 * @param examples gets those that come out
 */
record Subject(
    long scored, Followed followed, Candidate candidate, Logged at, Consumer<Example> examples) {}
