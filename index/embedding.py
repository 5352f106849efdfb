"""Text -> vectors: sentence-transformers to index, ONNX for a light start; all-MiniLM-L6-v2 unless
another model is named.

Both give vectors of one space. In 32-bit floats they agree to a cosine of 0.99999 and better; with
bfloat16, which a CPU that multiplies it natively runs more than twice as fast, to 0.999.

Importing this module loads neither torch nor onnxruntime; the first text does.
"""

from index.embedding_export import export_onnx
from index.embedding_onnx import OnnxEmbedder
from index.embedding_torch import SentenceTransformerEmbedder
from index.weights import packaged_model_path

__all__ = ["OnnxEmbedder", "SentenceTransformerEmbedder", "export_onnx", "packaged_model_path"]
