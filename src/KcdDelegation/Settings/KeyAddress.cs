namespace KcdDelegation.Settings;

/// <summary>Where signing keys may come from.</summary>
internal static class KeyAddress
{
    /// <summary>https, or http to this machine.</summary>
    public static bool IsAllowed(Uri address) =>
        address.Scheme == Uri.UriSchemeHttps || (address.Scheme == Uri.UriSchemeHttp && address.IsLoopback);
}
