/**
 * Several processes that serve one model, of which one trains: what happens and what was learned go
 * through Kafka.
 */
@NullMarked
package dev.wukong.serving.cluster;

import org.jspecify.annotations.NullMarked;
