namespace KcdDelegation.AspNetCore;

/// <summary>The default values of the bearer authentication.</summary>
public static class KcdBearerDefaults
{
    /// <summary>The name of the authentication scheme.</summary>
    public const string AuthenticationScheme = "KcdBearer";
}
