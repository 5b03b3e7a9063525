/**
 * What the data is: schema, id mapping, encoded examples and readers. One implementation for
 * training and serving.
 */
@NullMarked
package dev.wukong.data;

import org.jspecify.annotations.NullMarked;
