namespace KcdDelegation.DirectoryServices.Connections;

/// <summary>The entries and bytes that a search has left.</summary>
internal sealed class SearchBudget(DirectoryClientOptions options, string server)
{
    private long _bytes = options.MaxResultLength;
    private int _entries = options.MaxEntries;

    public void TakeBytes(int count)
    {
        if ((_bytes -= count) < 0)
            throw DirectoryException.Large(server, $"the result is longer than {options.MaxResultLength} bytes");
    }

    public void TakeEntry()
    {
        if (--_entries < 0)
            throw DirectoryException.Large(server, $"the result has more than {options.MaxEntries} entries");
    }
}
