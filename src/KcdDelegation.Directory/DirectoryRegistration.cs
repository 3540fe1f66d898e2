using KcdDelegation.DirectoryServices.ManagedPasswords;
using Microsoft.Extensions.DependencyInjection;

namespace KcdDelegation.DirectoryServices;

/// <summary>Adds the directory to the library.</summary>
public static class DirectoryRegistration
{
    /// <summary>Lets the settings of <c>AddKcdDelegation</c> use the directory, for accounts with
    /// <c>ServiceAccount:ManagedPassword</c>.</summary>
    /// <param name="services">The services.</param>
    public static IServiceCollection AddKcdDirectory(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);
        return services.PostConfigure<KcdOptions>(static options => options.UseDirectory());
    }

    /// <summary>Lets the options use the directory, for a <see cref="DelegationClient"/> that is created without services.</summary>
    /// <param name="options">The options.</param>
    public static KcdOptions UseDirectory(this KcdOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.ManagedPasswordSource = ConfiguredPasswordSource.Create;
        return options;
    }
}
