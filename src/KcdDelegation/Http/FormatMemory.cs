namespace KcdDelegation.Http;

/// <summary>Which token format an application with <see cref="TokenFormat.Auto"/> takes, learnt from its answers. Thread-safe; a lost race
/// costs one request its first try.</summary>
internal sealed class FormatMemory
{
    private volatile TokenFormat _preferred = TokenFormat.Kerberos;
    private volatile bool _isProven;

    /// <summary>What to try first.</summary>
    public TokenFormat First(TokenFormat configured) => configured == TokenFormat.Auto ? _preferred : configured;

    public static TokenFormat Other(TokenFormat format) => format == TokenFormat.Kerberos ? TokenFormat.Spnego : TokenFormat.Kerberos;

    /// <summary>Whether that was news.</summary>
    public bool Accepted(TokenFormat format)
    {
        if (_isProven && _preferred == format)
            return false;
        (_preferred, _isProven) = (format, true);
        return true;
    }

    /// <summary>A format that has worked is not given up for a 401 alone: that may be this user's fault. Before that, the next request tries
    /// the other first; so a request that cannot be sent twice helps as well.</summary>
    public void Refused(TokenFormat format)
    {
        if (!_isProven)
            _preferred = Other(format);
    }
}
