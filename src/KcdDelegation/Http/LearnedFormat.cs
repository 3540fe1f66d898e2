namespace KcdDelegation.Http;

/// <summary>Which token format an application with <see cref="TokenFormat.Auto"/> takes, learnt from its answers. Thread-safe; a lost race
/// costs one request its first try.</summary>
internal sealed class LearnedFormat
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

    /// <summary>A request that cannot be sent twice was refused. That may be its user's fault: a format that has worked is tried once more,
    /// but has to prove itself again; without a proof the next request tries the other first.</summary>
    public void Refused(TokenFormat format)
    {
        if (_preferred != format)
            return;
        if (_isProven)
            _isProven = false;
        else
            _preferred = Other(format);
    }
}
