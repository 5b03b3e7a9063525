/**
 * Where both executable jars start: a check of the Java version, readable by every Java since 8.
 */
@NullMarked
package dev.wukong.launch;

import org.jspecify.annotations.NullMarked;
