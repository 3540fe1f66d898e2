namespace KcdDelegation.Identity;

/// <summary>The authentication types of the identities that the library creates. They record the kind of token that the host
/// named.</summary>
/// <remarks>The host's code sets the type of an identity, and cookies keep it. A token cannot set it.</remarks>
internal static class AuthenticationTypes
{
    public const string AccessToken = "Bearer";

    public const string IdToken = "IdToken";

    /// <summary>The type of the claims of a logout token, which are no caller.</summary>
    public const string LogoutToken = "LogoutToken";
}
