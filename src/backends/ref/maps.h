// Reference kernels on maps [batch, channels, height, width]: convolution, pooling, resampling and
// the norms over channels.
#pragma once

#include "backends/ref/kernels.h"

namespace vernier {

void RefConv2d(const RefArgs& args);
void RefBatchNorm(const RefArgs& args);
void RefGroupNorm(const RefArgs& args);
void RefMaxPool2d(const RefArgs& args);
void RefResizeMap(const RefArgs& args);

}  // namespace vernier
