namespace KcdDelegation.Gateway.Settings;

/// <summary>The settings of forward authentication: another proxy asks the gateway about each request, and calls the application
/// itself.</summary>
internal sealed class ForwardAuthenticationOptions
{
    /// <summary>Gets the addresses at which the other proxy asks: http at a loopback address, or at a socket of the file system
    /// (<c>http://unix:/path</c>). Empty for none.</summary>
    public IList<string> Urls { get; } = [];
}
