namespace KcdDelegation.Settings;

/// <summary>The rule for addresses of signing keys.</summary>
internal static class KeyAddress
{
    /// <summary>Determines whether keys may be loaded from an address: https, or http on a loopback address.</summary>
    public static bool IsAllowed(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);
}
