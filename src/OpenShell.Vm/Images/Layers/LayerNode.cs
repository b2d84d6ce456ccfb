namespace OpenShell.Vm.Images.Layers;

/// <summary>A name in the tree of an image.</summary>
internal sealed class LayerNode(Inode inode, int layer)
{
    /// <summary>What it names.</summary>
    public Inode Inode { get; set; } = inode;

    /// <summary>The layer that named it last: what a layer takes away is only what is below it.</summary>
    public int Layer { get; set; } = layer;

    /// <summary>What is in it, if it is a folder: by name, in the order of bytes.</summary>
    public SortedDictionary<string, LayerNode> Children { get; } = new(StringComparer.Ordinal);

    /// <summary>Takes away what layers below one have put here. Returns whether nothing is left.</summary>
    public bool RemoveBelow(int layer)
    {
        foreach (var name in Children.Where(c => c.Value.RemoveBelow(layer)).Select(c => c.Key).ToList())
            Children.Remove(name);

        // A folder stays as long as the layer itself has something in it.
        return Layer < layer && Children.Count == 0;
    }
}
