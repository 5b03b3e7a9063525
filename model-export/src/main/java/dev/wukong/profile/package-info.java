/** Where the time of a graph's runs goes. */
@NullMarked
package dev.wukong.profile;

import org.jspecify.annotations.NullMarked;
