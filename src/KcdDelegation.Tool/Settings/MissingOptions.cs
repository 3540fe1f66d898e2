namespace KcdDelegation.Tool.Settings;

/// <summary>The required values that neither an option nor the settings specify, so that one message names all of them.</summary>
internal sealed class MissingOptions
{
    private readonly List<(string Subject, string Correction)> _missing = [];

    /// <summary>Records a missing value and returns an empty one in its stead.</summary>
    /// <param name="subject">The missing value, such as <c>the account's realm</c>.</param>
    /// <param name="correction">The end of a sentence that begins with "specify".</param>
    public string Add(string subject, string correction)
    {
        _missing.Add((subject, correction));
        return "";
    }

    /// <exception cref="UsageException">A value is missing.</exception>
    public void ThrowIfAny()
    {
        if (_missing.Count == 1)
            throw new UsageException($"Missing {_missing[0].Subject}: specify {_missing[0].Correction}.");
        if (_missing.Count > 1)
        {
            var lines = _missing.Select(each => $"  {each.Subject}: specify {each.Correction}.");
            throw new UsageException(string.Join(Environment.NewLine, lines.Prepend("Missing options:")));
        }
    }
}
