using System.Runtime.Intrinsics.X86;
using System.Runtime.Versioning;
using Microsoft.Win32;
using X86Aes = System.Runtime.Intrinsics.X86.Aes;

namespace KcdDelegation.Kerberos.Crypto;

/// <summary>The choice of the implementation that encrypts authenticators.</summary>
internal static class CipherPathSelection
{
    /// <summary>The <see cref="AppContext"/> switch (runtimeconfig.json) that selects the platform's cryptography everywhere.</summary>
    public const string SwitchName = "KcdDelegation.Kerberos.PlatformCryptographyOnly";

    private static readonly Lazy<bool> AcceleratedByDefault = new(() =>
        CanAccelerate && !(AppContext.TryGetSwitch(SwitchName, out bool platformOnly) && platformOnly) && !IsFipsModeOn());

    public static bool CanAccelerate => X86Aes.IsSupported && Ssse3.IsSupported;

    public static CipherPath Resolve(CipherPath path) => path switch
    {
        CipherPath.Automatic => AcceleratedByDefault.Value ? CipherPath.Accelerated : CipherPath.Platform,
        CipherPath.Accelerated when !CanAccelerate =>
            throw new PlatformNotSupportedException(
                "The processor does not support the AES instructions required by the accelerated cipher."),
        _ => path,
    };

    /// <summary>Checks for FIPS mode, in which only validated modules may be used. Managed code is not validated.</summary>
    private static bool IsFipsModeOn() => OperatingSystem.IsWindows() ? IsFipsPolicyOn() : IsFipsKernel() || Md5.IsRefused;

    [SupportedOSPlatform("windows")]
    private static bool IsFipsPolicyOn() =>
        Registry.GetValue(@"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\Lsa\FipsAlgorithmPolicy", "Enabled", 0) is not (null or 0);

    private static bool IsFipsKernel()
    {
        const string Flag = "/proc/sys/crypto/fips_enabled";
        return File.Exists(Flag) && File.ReadAllText(Flag).AsSpan().Trim() is not "0";
    }
}
