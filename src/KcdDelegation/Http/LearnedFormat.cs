namespace KcdDelegation.Http;

/// <summary>The token format that an application with <see cref="TokenFormat.Auto"/> accepts, learned from its responses.
/// Thread-safe.</summary>
/// <remarks>A lost race costs one request its first attempt.</remarks>
internal sealed class LearnedFormat
{
    private volatile TokenFormat _preferred = TokenFormat.Kerberos;
    private volatile bool _isProven;

    /// <summary>Gets the format of the first attempt.</summary>
    public TokenFormat GetFormat(TokenFormat configured) => configured == TokenFormat.Auto ? _preferred : configured;

    public static TokenFormat GetOther(TokenFormat format) => format == TokenFormat.Kerberos ? TokenFormat.Spnego : TokenFormat.Kerberos;

    /// <summary>Stores the format as accepted, and returns whether this changes the state.</summary>
    public bool RecordAccepted(TokenFormat format)
    {
        if (_isProven && _preferred == format)
            return false;
        (_preferred, _isProven) = (format, true);
        return true;
    }

    /// <summary>Notes the refusal of a request that cannot be sent twice.</summary>
    /// <remarks>The refusal may be specific to the user. A format that has worked is tried once more, but must be proved again. Without a
    /// proof the next request tries the other format first.</remarks>
    public void RecordRefused(TokenFormat format)
    {
        if (_preferred != format)
            return;
        if (_isProven)
            _isProven = false;
        else
            _preferred = GetOther(format);
    }
}
