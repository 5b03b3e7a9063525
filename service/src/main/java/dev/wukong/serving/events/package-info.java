/** What happened, in order and durable: what was scored, shown and labelled. */
@NullMarked
package dev.wukong.serving.events;

import org.jspecify.annotations.NullMarked;
